// SPDX-License-Identifier: Apache-2.0

// Greeter says hello in the languages that it is asked for.
package main

import (
	"fmt"
	"os"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

func main() {
	message.SetString(language.German, "Hello, %s!\n", "Hallo, %s!\n")
	message.SetString(language.French, "Hello, %s!\n", "Bonjour, %s !\n")
	languages := os.Args[1:]
	if len(languages) == 0 {
		languages = []string{"de"}
	}
	for _, name := range languages {
		tag, err := language.Parse(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		message.NewPrinter(tag).Printf("Hello, %s!\n", "lock")
	}
}
