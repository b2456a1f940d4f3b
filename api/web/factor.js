/* Setting up a second factor, or showing the one there is: the picture for the telephone, a code, the recovery codes. */

import { sent } from "./account.js";
import { both, element } from "./words.js";

function codeForm(button, act, refused) {
  const input = element("input", { name: "code", autocomplete: "one-time-code", inputMode: "numeric", required: true, maxLength: 40 });
  const form = element("form", { className: "code" },
    element("p", {}, element("label", {}, ...both(["验证码", "code"]), " ", input)),
    element("p", {}, element("button", {}, ...both(button))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    refused.textContent = "";
    try {
      await act(input.value);
    } catch (refusal) {
      refused.textContent = refusal.status === 401 ? "验证码不对或已用过。 The code is wrong or was used." : refusal.message;
    }
  });
  return form;
}

function recoveryCodes(codes, done) {
  const list = element("ol", { className: "recovery" }, ...codes.map((code) => element("li", {}, code)));
  const button = element("button", { type: "button" }, ...both(["已抄下，继续", "written down, go on"]));
  button.addEventListener("click", done);
  return [
    element("h2", {}, ...both(["恢复码", "recovery codes"])),
    element("p", {}, ...both(["手机遗失时，每个恢复码可代替验证码使用一次。只显示这一次，请抄下并妥善保管。",
      "If the telephone is lost, each stands in for a code once. They are shown this once: write them down."])),
    list,
    element("p", {}, button),
  ];
}

function picture(svg) {
  const parsed = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  const figure = element("figure", { className: "qr" });
  figure.append(document.importNode(parsed, true));
  return figure;
}

/** Ask for what a session lacks: a new factor to set up, or a code of the one that stands. */
export async function showFactor(place, refused, done) {
  place.hidden = false;
  let made;
  try {
    made = await sent("POST", "/api/account/second-factor");
  } catch (refusal) {
    if (refusal.type !== "second_factor_missing") throw refusal;
    place.replaceChildren(
      element("h2", {}, ...both(["第二因素", "second factor"])),
      codeForm(["确认", "confirm"], async (code) => {
        await sent("POST", "/api/account/second-factor/proof", { code });
        done();
      }, refused));
    return;
  }
  place.replaceChildren(
    element("h2", {}, ...both(["设置第二因素", "set up a second factor"])),
    element("p", {}, ...both(["登记员和账户管理员登录时须出示手机验证器上的六位验证码。请用验证器扫描此图，再输入它显示的验证码。",
      "Registrars and administrators sign in with six digits of an authenticator. Scan this with one, and type the code it shows."])),
    picture(made.picture),
    element("p", { className: "secret" }, ...both(["或手动输入密钥", "or type the secret"]), " ", element("code", {}, made.secret)),
    codeForm(["启用", "take into use"], async (code) => {
      const { recovery_codes: codes } = await sent("POST", "/api/account/second-factor/confirmation", { code });
      place.replaceChildren(...recoveryCodes(codes, done));
    }, refused));
}
