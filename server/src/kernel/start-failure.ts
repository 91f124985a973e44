/**
 * The environment prevents a start: a port in use, a folder that is not writable, an invalid setting. The message tells
 * the operator what failed, why, and what to do. The program prints it without a stack and exits with code 1.
 */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}
