// SPDX-License-Identifier: Apache-2.0
import { formatDistance } from "date-fns";

document.querySelector("#age").textContent = formatDistance(0, new Date());
