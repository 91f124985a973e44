import { conformance } from "./conformance.js";

export default {
  async test() {
    console.log(JSON.stringify({ failures: await conformance() }));
  },
};
