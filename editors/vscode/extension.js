// The client: starts `policy-engine lsp` and lets the language client speak with it.

"use strict";

const { window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function activate(context) {
  await start();
  context.subscriptions.push(
    workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("policyEngine.command")) {
        await deactivate();
        await start();
      }
    })
  );
}

async function start() {
  const command = workspace.getConfiguration("policyEngine").get("command");
  client = new LanguageClient(
    "policyEngine",
    "AI policies",
    { command, args: ["lsp", "--stdio"] },
    { documentSelector: [{ language: "policy" }, { scheme: "file", pattern: "**/*.policy.md" }] }
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    window.showErrorMessage(
      `The language server did not start: ${error.message}. ` +
        "Install it with `pip install 'ai-policy-engine[lsp]'`, or set policyEngine.command."
    );
  }
}

async function deactivate() {
  const stopping = client;
  client = undefined;
  await stopping?.stop();
}

module.exports = { activate, deactivate };
