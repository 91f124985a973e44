/** What each error word of an attempt means, for people. The words are a closed set. */
const SENTENCES: Record<string, string> = {
  dns_failed: "The host's name has no address.",
  dns_timeout: "The name server did not answer in time.",
  address_blocked: "The host's address is not allowed by this server's operator.",
  connect_refused: "The receiver refused the connection: nothing listens there.",
  connect_timeout: "The receiver did not take the connection in time.",
  network_unreachable: "There is no way to the receiver's network.",
  tls_failed: "No safe connection could be made: its certificate or its TLS is at fault.",
  connection_reset: "The receiver closed the connection before it answered.",
  response_invalid: "The answer was not valid HTTP.",
  timeout: "The receiver did not answer in time.",
  redirect_refused: "The receiver answered with a redirect; redirects are not followed. Register the final URL.",
  status: "The receiver answered with a status that is not 2xx.",
  stopped: "This server was stopped while it waited for the answer.",
};

export function sentenceOf(word: string, status: number | null): string {
  const sentence = SENTENCES[word] ?? "The attempt failed.";
  return word === "status" && status !== null
    ? `The receiver answered ${status}; only 2xx counts as received.`
    : sentence;
}
