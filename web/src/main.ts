// Connects the page's elements with what they do.

import "./style.css";
import { App } from "./app";
import { Boxes } from "./boxes";
import { Camera } from "./camera";
import { Client } from "./client";
import { element, View } from "./view";

const view = new View();
const boxes = new Boxes(element("boxes"), () => run(() => app.estimate()));
const app = new App(() => new Client(), view, boxes);
const camera = new Camera((video) =>
  attempt(() => {
    camera.check();
    return app.camera(video);
  }),
);

/** Does something, and shows what is wrong if it fails. */
async function attempt(action: () => Promise<void> | void): Promise<void> {
  try {
    await action();
  } catch (error) {
    view.error(error instanceof Error ? error.message : String(error));
    if (camera.isOn) void attempt(stopCamera);
  }
}

function run(action: () => Promise<void> | void): void {
  view.error("");
  void attempt(action);
}

function on(id: string, action: () => Promise<void> | void): void {
  element(id).addEventListener("click", () => run(action));
}

function give(files: FileList | null | undefined): void {
  const given = [...(files ?? [])];
  run(() => {
    if (!given.length) {
      throw new Error("A photograph or a model is given as a file, not as a text or a link.");
    }
    if (camera.isOn) void attempt(stopCamera);
    return app.give(given);
  });
}

function stopCamera(): Promise<void> {
  camera.stop();
  view.camera(false);
  return app.stopFilm();
}

async function toggleCamera(): Promise<void> {
  if (camera.isOn) return stopCamera();
  app.startFilm();
  view.status("Starting the camera");
  view.camera(true);
  await camera.start();
}

for (const [button, input] of [["choose", "photo"], ["choose-files", "files"]]) {
  const chooser = element<HTMLInputElement>(input);
  element(button).addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    give(chooser.files);
    chooser.value = ""; // the same file may be chosen again
  });
}
on("camera", toggleCamera);
on("add", () => boxes.add());
on("detect", () => app.detect());
on("whole", () => app.whole());
on("remove", () => app.remove());
on("remove-detector", () => app.removeDetector());
on("save-picture", () => app.savePicture());
on("save-joints", () => app.saveJoints());
for (const id of ["ellipses", "least", "split"]) {
  element(id).addEventListener("input", () => {
    element("least-shown").textContent = element<HTMLInputElement>("least").value;
    app.render();
  });
}
element("joint").addEventListener("change", () => run(() => app.estimate()));

// A file may be dropped anywhere; without this the browser would open it.
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  give(event.dataTransfer?.files);
});
document.addEventListener("paste", (event) => give(event.clipboardData?.files));

view.status("Loading the model");
run(() => app.start());
