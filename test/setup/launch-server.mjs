// What `npm start` does once everything is installed.
import { runUntilEnd } from "../../scripts/lib/process.mjs";

process.exit(await runUntilEnd(["--conditions=source", "server/src/main.ts"]));
