// The types of what vendor/preact.js joins. The vendored versions are those of package.json.
import type { VNode } from "preact";

export { createContext, Fragment, h, render } from "preact";
export { useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect } from "@preact/signals";
export declare function html(strings: TemplateStringsArray, ...values: unknown[]): VNode<any>;
export type { ReadonlySignal, Signal } from "@preact/signals";
export type { ComponentChildren, VNode } from "preact";
