addEventListener("message", (event) => {
  if (event.source !== parent) return;
  const mail = new DOMParser().parseFromString(event.data.html, "text/html");
  document.documentElement.replaceWith(document.adoptNode(mail.documentElement));
  parent.postMessage({ height: document.documentElement.scrollHeight }, "*");
});
parent.postMessage({ ready: true }, "*");
