// Shows times in the reader's own time zone. Everything works without it.
"use strict";
// Day before month, and 24 hours, as the pages write times without it.
const locale = "en-GB";
const form = {day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short"};
const moment = new Intl.DateTimeFormat(locale, form);
const span = new Intl.DateTimeFormat(locale, {...form, weekday: "short"});
function show(element, text) {
  element.title = element.textContent;
  element.textContent = text;
}
for (const time of document.querySelectorAll("time[datetime]")) {
  const date = new Date(time.dateTime);
  if (!Number.isNaN(date.getTime())) {
    show(time, moment.format(date));
  }
}
for (const element of document.querySelectorAll("[data-from][data-to]")) {
  const from = new Date(element.dataset.from), to = new Date(element.dataset.to);
  if (from <= to) {
    show(element, span.formatRange(from, to));
  }
}
