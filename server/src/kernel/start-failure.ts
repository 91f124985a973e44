/**
 * Something outside the program keeps it from starting (a busy port, a folder it may not write, a wrong setting).
 * Its message is a sentence for the operator: what, why and what to do. Whoever starts the program prints it and ends
 * with code 1; any other error is a bug and keeps its stack.
 */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}
