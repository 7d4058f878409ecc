// Keeps an open page up to date. Parts that somebody is using are updated when they are left.
const { live: topic } = document.currentScript.dataset;
const status = document.getElementById("live");
const minPauseMs = 2000;
let source;
let [isRequested, isUpdating, isBehind] = [false, false, false];

/** Runs one update at a time, so that an older response never replaces a newer one. */
async function update() {
  isRequested = true;
  if (isUpdating) return;
  isUpdating = true;
  while (isRequested) {
    isRequested = false;
    status.textContent = await replaceParts().catch(() => {
      isBehind = true;
      return "This page has changed but could not be loaded. Reload it.";
    });
    await new Promise((resolve) => setTimeout(resolve, minPauseMs));
  }
  isUpdating = false;
}

async function replaceParts() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok) throw new Error(response.statusText);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  isBehind = false;
  for (const part of document.querySelectorAll("[data-live]")) {
    const freshPart = fresh.getElementById(part.id);
    if (!freshPart || freshPart.innerHTML === part.innerHTML) continue;
    if (isInUse(part)) isBehind = true;
    else part.innerHTML = freshPart.innerHTML;
  }
  document.querySelector("header .clock").innerHTML = fresh.querySelector("header .clock").innerHTML;
  return isBehind ? "Changed. The part you are using is updated when you leave it." : "Live.";
}

const isInUse = (part) =>
  part.matches(":focus-within, :active") ||
  part.querySelector("details[open]") ||
  [...part.querySelectorAll("input")].some((input) => input.value !== input.defaultValue);

const catchUp = () => isBehind && update();
document.addEventListener("focusout", catchUp);
document.addEventListener("toggle", catchUp, true);

function connect() {
  source = new EventSource(`/live?topic=${encodeURIComponent(topic)}`);
  source.addEventListener("error", () => {
    status.textContent = "Not live: the server does not respond.";
  });
  // The first event arrives immediately, because the page may have changed since it was rendered.
  source.addEventListener("changed", update);
}

// Browsers limit the connections to one server, so a hidden page closes its own.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) source?.close();
  else connect();
});
if (!document.hidden) connect();
