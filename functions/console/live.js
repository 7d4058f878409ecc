// Draws anew what has changed on the server, and leaves alone what somebody is using.
const { live: topic } = document.currentScript.dataset;
const status = document.getElementById("live");
let source;

async function redraw() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    const inUse = old.contains(document.activeElement) || old.querySelector("details[open]") || isFilled(old);
    if (now && !inUse && now.innerHTML !== old.innerHTML) old.innerHTML = now.innerHTML;
  }
  document.querySelector("header .clock").innerHTML = fresh.querySelector("header .clock").innerHTML;
  status.textContent = "Live.";
}

const isFilled = (part) => [...part.querySelectorAll("input")].some((input) => input.value !== input.defaultValue);

function open() {
  source = new EventSource(`/live?topic=${encodeURIComponent(topic)}`);
  source.addEventListener("error", () => {
    status.textContent = "Not live: the server does not answer.";
  });
  // The first is told at once: something may have changed since the page was drawn.
  source.addEventListener("changed", redraw);
}

// A browser keeps few connections to one server: a page that nobody sees needs none.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) source?.close();
  else open();
});
if (!document.hidden) open();
