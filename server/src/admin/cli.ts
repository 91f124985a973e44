import { Command, Option } from "commander";
import { loadConfig } from "../config/config.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { createKey, createLink, reseal } from "./commands.ts";
import { examine, report } from "./doctor.ts";

/**
 * Defines the `mave admin …` commands. They run on the server's machine and work whether or not the server is running.
 */
function program(): Command {
  const mave = new Command("mave").description("the Mave command line").configureHelp({ showGlobalOptions: true });
  const admin = mave.command("admin").description("administer the server on this machine");

  admin
    .command("key")
    .description("manage API keys")
    .command("create")
    .description("create an API key and print it")
    .requiredOption("--name <name>", "key name, as shown in the dashboard")
    .addOption(new Option("--scope <scope>", "key permissions").choices(["read", "write"]).default("read"))
    .action(async ({ name, scope }) => console.log(await createKey(await loadConfig(), name, scope)));

  admin
    .command("link")
    .description("print a one-time link to sign in as the owner, or to become the owner of a new server")
    .action(async () => console.log(await createLink(await loadConfig())));

  admin
    .command("doctor")
    .description("check disk, ffmpeg, database, clock and network, and show how to fix problems")
    .action(async () => {
      const findings = await examine(await loadConfig());
      console.log(report(findings));
      if (findings.some(({ level }) => level === "error")) process.exitCode = 1;
    });

  admin
    .command("secrets")
    .description("manage the encryption of webhook secrets")
    .command("reseal")
    .description("re-encrypt the secrets and headers of all webhooks with the first key of MAVE_SECRETS_KEY")
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
