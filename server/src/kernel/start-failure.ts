/**
 * Thrown if the environment prevents startup, for example because a port is in use, a folder is not writable, or a
 * setting is invalid. The message tells the operator what failed, why, and what to do. The program prints it without a
 * stack trace and exits with code 1.
 */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}
