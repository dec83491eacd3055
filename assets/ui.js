// What pages gain when scripts run. Everything works without.

import { Button, CharacterCount, Checkboxes, ErrorSummary, SkipLink, createAll } from "govuk-frontend";
import { admissions } from "./app/admissions.js";
import { deposits } from "./app/deposit.js";
import { menus } from "./app/menus.js";
import { RevealingRadios } from "./app/radios.js";
import { sessionWarning } from "./app/session.js";
import { tables } from "./app/tables.js";

for (const component of [Button, CharacterCount, Checkboxes, ErrorSummary, RevealingRadios, SkipLink]) {
  createAll(component);
}
admissions(document);
deposits(document);
menus(document);
sessionWarning(document);
tables(document);
