// Draws the API's documentation. "Try it out" works with the session of this browser.
"use strict";
const place = document.getElementById("api");
window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  deepLinking: false, // each path would be a link inside a button, which nobody can reach who uses a screen reader
  defaultModelsExpandDepth: -1, // every answer shows its schema where it belongs
  validatorUrl: null,
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = place.dataset.token;
    return request;
  },
  onComplete() {
    document.getElementById("servers")?.setAttribute("aria-label", "Server");
    for (const [part, name] of [[".information-container", "About"], [".schemes-server-container", "Server and key"]]) {
      document.querySelector(part)?.setAttribute("role", "region");
      document.querySelector(part)?.setAttribute("aria-label", name);
    }
    for (const heading of document.querySelectorAll("h3.opblock-tag")) heading.setAttribute("aria-level", "2");
  },
});
