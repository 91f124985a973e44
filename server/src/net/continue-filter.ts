import type { Socket } from "node:net";

/** The number of bytes from the start of a response to the end of its status, as in `HTTP/1.1 100`. */
const STATUS_LENGTH = 12;
const INTERIM = /^HTTP\/1\.\d 1\d\d$/;
const [LF, CR, TWO] = [0x0a, 0x0d, 0x32];

/**
 * Lets a receiver send an unrequested `100 Continue`, as RFC 9110 §15.2 allows. undici skips every other interim
 * response but closes the connection after a 100, so the filter turns a 100 into a 102 before undici parses it. It
 * reads only up to the status of the final response, so it never changes a body.
 */
export class ContinueFilter {
  #status = "";
  #lineLength = 0;
  #isFinal = false;

  /** Filters everything that is read from this socket. Create it before undici reads for the first time. */
  constructor(socket: Socket) {
    const read = socket.read.bind(socket);
    socket.read = (size?: number): Buffer | null => {
      const chunk = read(size) as Buffer | null;
      if (chunk !== null) this.filter(chunk);
      return chunk;
    };
  }

  /** Prepares for the responses to the next request. */
  reset(): void {
    this.#status = "";
    this.#isFinal = false;
  }

  /** Changes `chunk` in place if it contains a 100 status. */
  filter(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#isFinal; at++) {
      if (this.#status.length === STATUS_LENGTH) this.#skipHeaders(chunk[at]!);
      else this.#readStatus(chunk, at);
    }
  }

  #readStatus(chunk: Buffer, at: number): void {
    const byte = chunk[at]!;
    if (this.#status === "" && (byte === CR || byte === LF)) return; // parsers accept empty lines before a response
    this.#status += String.fromCharCode(byte);
    if (this.#status.length < STATUS_LENGTH) return;
    this.#isFinal = !INTERIM.test(this.#status);
    this.#lineLength = 1;
    if (!this.#isFinal && this.#status.endsWith("100")) chunk[at] = TWO;
  }

  /** An empty line ends the headers. */
  #skipHeaders(byte: number): void {
    if (byte !== LF) this.#lineLength += byte === CR ? 0 : 1;
    else if (this.#lineLength > 0) this.#lineLength = 0;
    else this.#status = "";
  }
}
