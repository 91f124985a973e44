// `npm start` without the installation.
import { runUntilEnd } from "../../scripts/lib/process.mjs";

process.exit(await runUntilEnd(["--conditions=source", "server/src/main.ts"]));
