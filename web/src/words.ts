// The parts of the page that are words: a model's card, and the people.

import { nameOf } from "./card";
import type { Card } from "./card";
import type { Network } from "./messages";
import { scoreOf } from "./pose";
import type { Pose, Skeleton } from "./pose";

/** A model that is shown. */
export interface Model {
  file: string;
  card: Card;
  skeleton: Skeleton;
  /** Whether the skeleton is the first model's, since none was given. */
  borrows: boolean;
  network: Network;
  poses: Pose[];
}

/** Fills an element with a model's card. */
export function showCard(element: HTMLElement, model: Model): void {
  const { card, network } = model;
  const rows: [string, string][] = [
    ["Model", nameOf(card, model.file)],
    ["Joints", joints(model)],
    ["Input", `${network.size.join(" x ")} pixels, ${card.precision ?? "float32"}`],
    ["Trained on", card.trained_on || "not said"],
    ["Ellipses", ellipses(model)],
    ["Licence", card.licence || "not said; ask whoever exported the model"],
    ["Runs by", network.engine],
  ];
  const list = document.createElement("dl");
  for (const [term, text] of rows) list.append(of("dt", term), of("dd", text));
  element.replaceChildren(list);
  if (card.scores?.length) element.append(scores(card.scores));
  if (card.notice) element.append(of("p", card.notice));
}

function joints({ skeleton, borrows }: Model): string {
  const names = borrows ? "; their names are the first model's" : "";
  return `${skeleton.joints.length} of ${skeleton.name}${names}`;
}

function ellipses({ card, network }: Model): string {
  if (!network.hasCovariance) return "none: this model gives no covariance";
  return card.covariance_calibration
    ? "calibrated on the errors of a validation split"
    : "not calibrated: the spread of the map itself";
}

function scores(rows: NonNullable<Card["scores"]>): HTMLElement {
  const table = document.createElement("table");
  table.append(of("caption", "Scores"));
  for (const { on, figures } of rows) {
    const numbers = Object.entries(figures)
      .filter(([, value]) => typeof value === "number")
      .map(([name, value]) => `${name} ${value as number}`);
    const row = document.createElement("tr");
    row.append(of("th", on), of("td", numbers.join(", ")));
    table.append(row);
  }
  return table;
}

/** Fills an element with the joints of people. */
export function showPeople(element: HTMLElement, models: Model[]): void {
  const people = models.flatMap((model) =>
    model.poses.map((pose) => person(pose, model, models.length > 1)),
  );
  // Whom the user has opened stays open.
  const before = element.querySelectorAll("details");
  people.forEach((each, at) => (each.open = before[at]?.open ?? false));
  element.replaceChildren(...(people.length ? people : [of("p", "None yet.")]));
}

function person(pose: Pose, model: Model, named: boolean): HTMLDetailsElement {
  const details = document.createElement("details");
  const whose = named ? `, ${nameOf(model.card, model.file)}` : "";
  const score = scoreOf(pose).toFixed(2);
  details.append(of("summary", `Person ${pose.number}, score ${score}${whose}`));
  const table = document.createElement("table");
  const head = document.createElement("tr");
  head.append(...["joint", "x", "y", "score"].map((name) => of("th", name)));
  table.append(head);
  pose.joints.forEach(([x, y], joint) => {
    const row = document.createElement("tr");
    const name = model.skeleton.joints[joint].replaceAll("_", " ");
    const numbers = [x.toFixed(1), y.toFixed(1), pose.scores[joint].toFixed(2)];
    row.append(of("th", name), ...numbers.map((text) => of("td", text)));
    table.append(row);
  });
  details.append(table);
  return details;
}

/** Fills a select with a model's joints, keeping the choice. */
export function showJoints(select: HTMLSelectElement, skeleton: Skeleton): void {
  const chosen = select.value;
  const options = skeleton.joints.map(
    (name, joint) => new Option(name.replaceAll("_", " "), String(joint)),
  );
  select.replaceChildren(new Option("no joint", "-1"), ...options);
  select.value = chosen;
}

function of(tag: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
