/* The page behind a one-time link: the token stands after the #, goes to this service once, and leaves the address bar. */

import { enter, session } from "./account.js";
import { showFactor } from "./factor.js";

const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const form = document.getElementById("enter");
const refused = document.getElementById("refused");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  refused.textContent = "";
  try {
    await enter(token, form.password.value);
  } catch (refusal) {
    refused.textContent = refusal.message;
    return;
  }
  if (session.actor?.needs !== "second_factor") {
    location.replace("/");
    return;
  }
  form.hidden = true;
  showFactor(document.getElementById("factor"), refused, () => location.replace("/own"));
});
