// A form with data-passkey ("create" or "get") asks the browser for a passkey before it is sent: what to ask for comes from
// data-options, and the answer goes along in the field "credential". It is hidden where there is nothing to ask.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const withBytes = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const asked = async (form) => {
    const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
    if (answer.redirected || !answer.ok) {
      location.reload(); // the page says why
      throw new Error("Sign in again.");
    }
    return (await answer.json()).publicKey;
  };

  const create = async (options) => {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: withBytes(options.excludeCredentials),
    } });
    return { id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {}, response: {
      clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject),
    } };
  };

  const get = async (options) => {
    const signed = await navigator.credentials.get({ publicKey: {
      ...options, challenge: bytes(options.challenge), allowCredentials: withBytes(options.allowCredentials),
    } });
    const given = signed.response;
    return { id: signed.id, rawId: text(signed.rawId), type: signed.type, clientExtensionResults: {}, response: {
      clientDataJSON: text(given.clientDataJSON), authenticatorData: text(given.authenticatorData),
      signature: text(given.signature), userHandle: given.userHandle ? text(given.userHandle) : null,
    } };
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const trouble = form.querySelector("[data-trouble]");
    const say = (words) => { trouble.textContent = words; trouble.hidden = false; };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      trouble.hidden = true;
      try {
        const answer = await (form.dataset.passkey === "create" ? create : get)(await asked(form));
        form.elements.credential.value = JSON.stringify(answer);
        form.submit();
      } catch (error) {
        say(error.name === "InvalidStateError" ? "This device has a passkey for you already."
          : error.name === "NotAllowedError" ? "It was cancelled, or took too long. Try again." : error.message);
      }
    });
    form.hidden = !window.PublicKeyCredential;
  }
});
