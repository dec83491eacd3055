// Radio buttons that reveal a question.

import { Radios } from "govuk-frontend";

// ARIA 1.2 does not allow aria-expanded on a radio button, and what screen readers make of it differs: the revealed
// question comes next in the page, which is enough.
export class RevealingRadios extends Radios {
  syncConditionalRevealWithInputState(input) {
    super.syncConditionalRevealWithInputState(input);
    input.removeAttribute("aria-expanded");
  }
}
