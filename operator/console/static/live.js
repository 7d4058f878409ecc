// Draws anew what has changed on the server, and leaves alone what somebody is using.
const { live: topic } = document.currentScript.dataset;
const status = document.getElementById("live");
const leastPause = 2000;
let source;
let [wanted, drawing, isBehind] = [false, false, false];

/** One at a time, so that no older answer is drawn over a newer one. */
async function redraw() {
  wanted = true;
  if (drawing) return;
  drawing = true;
  while (wanted) {
    wanted = false;
    status.textContent = await draw().catch(() => {
      isBehind = true;
      return "Changed, but it could not be read: load this page anew.";
    });
    await new Promise((resolve) => setTimeout(resolve, leastPause));
  }
  drawing = false;
}

async function draw() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok) throw new Error(response.statusText);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  isBehind = false;
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (!now || now.innerHTML === old.innerHTML) continue;
    if (isUsed(old)) isBehind = true;
    else old.innerHTML = now.innerHTML;
  }
  document.querySelector("header .clock").innerHTML = fresh.querySelector("header .clock").innerHTML;
  return isBehind ? "Changed: what you are using is drawn anew when you leave it." : "Live.";
}

const isUsed = (part) =>
  part.matches(":focus-within, :active") ||
  part.querySelector("details[open]") ||
  [...part.querySelectorAll("input")].some((input) => input.value !== input.defaultValue);

const catchUp = () => isBehind && redraw();
document.addEventListener("focusout", catchUp);
document.addEventListener("toggle", catchUp, true);

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
