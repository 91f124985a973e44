import { Command, Option } from "commander";
import { loadConfig } from "../config/config.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { createKey } from "./create-key.ts";
import { createLink } from "./create-link.ts";
import { examine, report } from "./doctor.ts";
import { reseal } from "./reseal.ts";

/** `mave admin …`: for whoever has the server's own machine. Works whether the server runs or not. */
function program(): Command {
  const mave = new Command("mave").description("Mave's command line").configureHelp({ showGlobalOptions: true });
  const admin = mave.command("admin").description("look after the server on its own machine");

  admin
    .command("key")
    .description("API keys")
    .command("create")
    .description("make an API key; prints the key and nothing else")
    .requiredOption("--name <name>", "what it is for, shown in the dashboard")
    .addOption(new Option("--scope <scope>", "what it may do").choices(["read", "write"]).default("read"))
    .action(async ({ name, scope }) => console.log(await createKey(await loadConfig(), name, scope)));

  admin
    .command("link")
    .description("print a one-time link that signs the owner in, or makes the owner of a new server")
    .action(async () => console.log(await createLink(await loadConfig())));

  admin
    .command("doctor")
    .description("check database, disk, ffmpeg, clock and network, and say what to do")
    .action(async () => {
      const findings = await examine(await loadConfig());
      console.log(report(findings));
      if (findings.some(({ state }) => state === "bad")) process.exitCode = 1;
    });

  admin
    .command("secrets")
    .description("what is sealed in the database")
    .command("reseal")
    .description("seal every webhook's secrets and headers anew by the first key of MAVE_SECRETS_KEY; servers may run")
    .action(async () => console.log(await reseal(await loadConfig())));

  return mave;
}

program()
  .parseAsync()
  .catch((error: unknown) => {
    if (!(error instanceof StartFailure)) throw error;
    console.error(error.message);
    process.exit(1);
  });
