// Shows times in the reader's own time zone and words, and loads a run again while it goes on. Everything works without it.
"use strict";
const form = {day: "numeric", month: "long", year: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short"};
const moment = new Intl.DateTimeFormat(undefined, form);
const span = new Intl.DateTimeFormat(undefined, {...form, weekday: "short"});
const ago = new Intl.RelativeTimeFormat(document.documentElement.lang, {numeric: "auto", style: "short"});
function show(element, text) {
  element.title = element.textContent;
  element.textContent = text;
}
// relative says how long ago something was, or how soon it is.
function relative(date) {
  const minutes = Math.round((date - Date.now()) / 60000), away = Math.abs(minutes);
  if (away < 60) return ago.format(minutes, "minute");
  if (away < 60 * 24) return ago.format(Math.round(minutes / 60), "hour");
  return ago.format(Math.round(minutes / 60 / 24), "day");
}
function showTimes() {
  for (const time of document.querySelectorAll("time[datetime]:not([title])")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    if ("ago" in time.dataset) {
      const words = time.dataset.ago === "next" && date < Date.now() ? ago.format(0, "second") : relative(date);
      show(time, `${words} (${moment.format(date)})`);
    } else {
      show(time, moment.format(date));
    }
  }
  for (const element of document.querySelectorAll("[data-from][data-to]:not([title])")) {
    const from = new Date(element.dataset.from), to = new Date(element.dataset.to);
    if (from <= to) {
      show(element, span.formatRange(from, to));
    }
  }
}
// The interval can only be chosen where something is automatic.
function follow(box) {
  const interval = box.form.elements.intervalMinutes;
  // What is disabled is not sent; the former choice is to be kept.
  const kept = document.createElement("input");
  kept.type = "hidden";
  kept.name = interval.name;
  const set = () => {
    interval.disabled = !box.checked;
    kept.value = interval.value;
    if (box.checked) kept.remove(); else box.form.append(kept);
  };
  box.addEventListener("change", set);
  set();
}
// A run that goes on for long is asked about less often.
let pause = 2000;
const places = "a[href], button, summary, select, input";
async function reload() {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href);
      if (answer.ok && !answer.redirected) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const at = [...main.querySelectorAll(places)].indexOf(document.activeElement);
        main.replaceChildren(...page.querySelector("main").childNodes);
        main.toggleAttribute("data-live", page.querySelector("main").hasAttribute("data-live"));
        document.title = page.title;
        if (at >= 0) [...main.querySelectorAll(places)][at]?.focus();
        showTimes();
      }
    } catch {
      // The network is away; the next time may be better.
    }
  }
  pause = Math.min(pause * 1.2, 15000);
  setTimeout(reload, pause);
}
showTimes();
for (const box of document.querySelectorAll("input[name=automatic]")) follow(box);
setTimeout(reload, 1500);
