/* The page behind a one-time link: the token stands after the #, goes to this service once, and leaves the address bar. */

import { enter } from "./account.js";

const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const form = document.getElementById("enter");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await enter(token, form.password.value);
    location.replace("/");
  } catch (refusal) {
    document.getElementById("refused").textContent = refusal.message;
  }
});
