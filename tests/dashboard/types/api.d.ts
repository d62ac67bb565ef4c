// Short names for the schemas of the API, generated from infra/openapi.json by `npm run api`.
import type { components } from "./openapi";

type Schemas = components["schemas"];

declare global {
  /** A part of the API's answers: `Api["FlowResponse"]`. */
  type Api = Schemas;
}
