// SPDX-License-Identifier: Apache-2.0
package example;

import com.google.gson.Gson;
import java.util.Map;

/** Says hello in JSON. */
public final class Greeter {
    private Greeter() {}

    public static void main(String[] arguments) {
        System.out.println(new Gson().toJson(Map.of("hello", "lock")));
    }
}
