// Opens a shell in a step's sandbox, or in what the newest failed step left, with this process's own input and output.

import { failedSteps } from '../../../engine/sandbox/failed-steps.ts';
import { openFailedShell, openShell } from '../../../engine/sandbox/shell.ts';
import { sandboxTool } from '../../../engine/sandbox/tool.ts';
import type { BuildRequest } from '../../../engine/execute/executor.ts';
import { openStore } from '../../../store/index.ts';

const [storePath, toolFolder, request] = process.argv.slice(2) as [string, string, string | undefined];
const store = await openStore(storePath);
const options = { store, tool: sandboxTool(toolFolder), signal: new AbortController().signal };
process.exitCode =
  request === undefined
    ? await openFailedShell(failedSteps(storePath)[0]!, options)
    : await openShell(JSON.parse(request) as BuildRequest, options);
await store.close();
