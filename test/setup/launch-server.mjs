// Does the same as `npm start`, but without installing dependencies.
import { runUntilEnd } from "../../scripts/lib/process.mjs";

process.exit(await runUntilEnd(["--conditions=source", "server/src/main.ts"]));
