// What `integral-tf export` writes beside a model: its card and its skeleton.

import type { Skeleton } from "./pose";

export interface Card {
  model?: string;
  method?: string;
  backbone?: string;
  precision?: string;
  network?: { beta?: number; cells?: string };
  covariance_calibration?: Record<string, number | null> | null;
  trained_on?: string;
  licence?: string;
  notice?: string;
  scores?: { on: string; figures: Record<string, unknown> }[];
}

/** Whether a JSON value has the fields of a skeleton that the page reads. */
export function isSkeleton(value: unknown): value is Skeleton {
  const fields = value as Partial<Skeleton> | null;
  return (
    typeof fields?.name === "string" &&
    areTexts(fields.joints) &&
    arePairs(fields.sides) &&
    arePairs(fields.limbs) &&
    Array.isArray(fields.categories) &&
    fields.categories.length > 0
  );
}

/** Whether a JSON value is a card. */
export function isCard(value: unknown): value is Card {
  const fields = value as (Card & { format?: unknown }) | null;
  return typeof fields === "object" && typeof fields?.format === "string";
}

/** A short name for a model: its method, backbone and file. */
export function nameOf(card: Card, file: string): string {
  const parts = [card.method, card.backbone].filter(Boolean);
  return parts.length ? `${parts.join(" ")} (${card.model ?? file})` : file;
}

/** Whether the maps are integrated; else their maximum is read. */
export function isIntegral(card: Card): boolean {
  return (card.method ?? "").startsWith("I");
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function arePairs(value: unknown): value is [string, string][] {
  return Array.isArray(value) && value.every((each) => areTexts(each));
}
