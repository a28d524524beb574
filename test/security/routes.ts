import { createApi } from '#apps/api/app.js';
import { openRoutes } from '#apps/api/docs.js';
import { type Desk } from '#apps/desk.js';

export interface Route {
  readonly method: string;
  /** With its parameters in braces, as the OpenAPI document has them. */
  readonly path: string;
  readonly open: boolean;
}

const isOpen = (path: string): boolean => openRoutes.some((open) => open.path === path);

/** Every route that the router itself knows, whoever made it: so none is forgotten by a test. */
export const routesOf = async (desk: Desk): Promise<readonly Route[]> => {
  const app = await createApi(desk);
  const tree = app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  await app.close();
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^((?:[│ ] {3})*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    const depth = indent.length / 4;
    parents.splice(depth, Infinity, part);
    const path = parents.join('').replace(/:(\w+)/g, '{$1}');
    return methods === '' ? [] : methods.split(', ').map((method) => ({ method, path, open: isOpen(path) }));
  });
};

/** The path with its parameters filled: of the thing, and of what lies in it. */
export const filled = (path: string, id: string, within = '0'.repeat(64)): string => path.replace('{id}', id).replace(/\{\w+\}/g, within);
