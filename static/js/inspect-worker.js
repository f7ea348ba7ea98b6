/* Keeps the page of an inspection that was opened, so that it opens again without a connection: a phone that needs its
   memory for the camera throws the page away. Nothing else is kept, and nothing that was kept is shown while there is a
   connection. Sending, giving up and signing out take it away; after a day it is not shown any more. */
"use strict";
const CACHE = "inspect-pages";
const LONGEST = 24 * 3600 * 1000;
const isPage = (url) => /^\/tasks\/[\w-]+\/(re)?inspect\/$/.test(url.pathname);
const isPart = (url) => url.pathname.startsWith("/static/");

const fromNetwork = async (request) => {
  try {
    return await fetch(request);
  } catch (problem) {
    const kept = await caches.match(request.url, { cacheName: CACHE });
    const at = kept ? Date.parse(kept.headers.get("Date") || "") : NaN;
    if (kept && (isPart(new URL(request.url)) || Date.now() - at < LONGEST)) return kept;
    throw problem;
  }
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (isPart(url) || (isPage(url) && event.request.mode === "navigate")) event.respondWith(fromNetwork(event.request));
});
