/** Pages as Eta templates: `<%= %>` escapes, and nothing here uses the tag that does not. */
const head = (title: string) => `<!doctype html>
<html lang="<%= it.texts.language %>">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title><%= ${title} %></title>
<link rel="stylesheet" href="<%= it.style %>">
</head>
<body>
<main>
<h1><%= ${title} %></h1>
`
const tail = `</main>
</body>
</html>
`

export const signInTemplate = `${head('it.texts.signIn.title')}
<p><%= it.texts.signIn.to %> <strong><%= it.client %></strong></p>
<% if (it.notice) { %><p role="alert" class="notice"><%= it.notice %></p><% } %>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="form" value="<%= it.form %>">
<input type="hidden" name="continue" value="<%= it.query %>">
<label for="email"><%= it.texts.signIn.email %></label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="255" value="<%= it.email %>">
<label for="password"><%= it.texts.signIn.password %></label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256">
<button type="submit"><%= it.texts.signIn.submit %></button>
</form>
${tail}`

export const consentTemplate = `${head('it.texts.consent.title')}
<p><strong><%= it.client %></strong> <%= it.texts.consent.asks %></p>
<% if (it.scopes.length > 0) { %>
<p><%= it.texts.consent.may %></p>
<ul><% it.scopes.forEach((scope) => { %><li><code><%= scope %></code></li><% }) %></ul>
<% } else { %><p><%= it.texts.consent.nothing %></p><% } %>
<% if (it.targets.length > 0) { %>
<p><%= it.texts.consent.at %></p>
<ul><% it.targets.forEach((target) => { %><li><code><%= target %></code></li><% }) %></ul>
<% } %>
<p><%= it.texts.consent.until %> <%= it.texts.consent.as %> <strong><%= it.user %></strong>.</p>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="form" value="<%= it.form %>">
<input type="hidden" name="request" value="<%= it.query %>">
<button type="submit" name="decision" value="allow"><%= it.texts.consent.allow %></button>
<button type="submit" name="decision" value="deny" class="second"><%= it.texts.consent.deny %></button>
</form>
${tail}`

export const faultTemplate = `${head('it.texts.fault.title')}
<p role="alert"><%= it.message %></p>
<p><%= it.texts.fault.advice %></p>
${tail}`

export const style = `
:root { color-scheme: light dark; --ink: #1a1c20; --ground: #fff; --line: #6b7280; --deed: #1d4ed8; --on-deed: #fff; --warn: #b42318 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f3f4f6; --ground: #16181d; --line: #9ca3af; --deed: #93b4ff; --on-deed: #10131a; --warn: #ffb4a9 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 26rem; margin: 0 auto; padding: 2rem 1rem }
h1 { font-size: 1.5rem }
label { display: block; margin-top: 1rem }
input { width: 100%; padding: .6rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .4rem }
button { width: 100%; margin-top: 1rem; padding: .7rem; font: inherit; cursor: pointer; border: 1px solid var(--deed); border-radius: .4rem; background: var(--deed); color: var(--on-deed) }
button.second { background: transparent; color: inherit; border-color: var(--line) }
:focus-visible { outline: 3px solid var(--deed); outline-offset: 2px }
.notice { color: var(--warn); font-weight: 600 }
`
