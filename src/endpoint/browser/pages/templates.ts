export { style } from './style.ts'

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

/** What is there when a page opens is read aloud only with the field that has the focus. */
const notedAt = '<% if (it.notice) { %> aria-describedby="notice"<% } %>'

export const signInTemplate = `${head('it.texts.signIn.title')}
<p><% if (it.client) { %><%= it.texts.signIn.to %> <strong><%= it.client %></strong><% } else { %><%= it.texts.signIn.own %><% } %></p>
<% if (it.notice) { %><p role="alert" id="notice" class="notice"><%= it.notice %></p><% } %>
<% if (it.passwords) { %>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="form" value="<%= it.form %>">
<input type="hidden" name="continue" value="<%= it.next %>">
<label for="email"><%= it.texts.signIn.email %></label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="255" value="<%= it.email %>"${notedAt}<% if (!it.email) { %> autofocus<% } %>>
<label for="password"><%= it.texts.signIn.password %></label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256"${notedAt}<% if (it.email) { %> autofocus<% } %>>
<button type="submit"><%= it.texts.signIn.submit %></button>
</form>
<% } %>
<% if (it.passwords && it.upstreams.length > 0) { %><p class="or"><%= it.texts.signIn.or %></p><% } %>
<% it.upstreams.forEach((upstream) => { %><p><a class="button second" href="<%= upstream.href %>"><%= it.texts.signIn.with %> <%= upstream.label %></a></p><% }) %>
${tail}`

export const consentTemplate = `${head('it.texts.consent.title')}
<p><strong><%= it.client %></strong> <%= it.texts.consent.asks %></p>
<% if (it.client !== it.clientId) { %><p class="small"><%= it.texts.consent.known %> <code><%= it.clientId %></code></p><% } %>
<% if (it.scopes.length > 0) { %>
<p><%= it.texts.consent.may %></p>
<ul><% it.scopes.forEach((scope) => { %><li><code><%= scope %></code></li><% }) %></ul>
<% } else { %><p><%= it.texts.consent.nothing %></p><% } %>
<% if (it.targets.length > 0) { %>
<p><%= it.isAnywhere ? it.texts.consent.anywhere : it.texts.consent.at %></p>
<ul><% it.targets.forEach((target) => { %><li><code><%= target %></code></li><% }) %></ul>
<% } %>
<% if (it.mayActFurther) { %><p><%= it.texts.consent.further %></p><% } %>
<p><%= it.texts.consent.for %> <%= it.duration(it.lifetimeSeconds) %><% if (it.refreshSeconds !== undefined) { %>, <%= it.texts.consent.renews %> <%= it.duration(it.refreshSeconds) %><% } %>. <%= it.texts.consent.until %></p>
<p><%= it.texts.consent.as %> <strong><%= it.user %></strong>. <a href="<%= it.signOut %>"><%= it.texts.consent.signOut %></a></p>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="form" value="<%= it.form %>">
<input type="hidden" name="user" value="<%= it.sub %>">
<input type="hidden" name="shown" value="<%= it.shown %>">
<input type="hidden" name="request" value="<%= it.query %>">
<button type="submit" name="decision" value="allow"><%= it.texts.consent.allow %></button>
<button type="submit" name="decision" value="deny" class="second"><%= it.texts.consent.deny %></button>
</form>
${tail}`

const scopeList = (scopes: string) =>
  `<ul><% ${scopes}.forEach((scope) => { %><li><code><%= scope %></code></li><% }) %></ul>`

/** A list of what was allowed, with the button that takes it back. */
const allowed = (list: string, heading: string, none: string, action: string) => `
<section aria-labelledby="${action}">
<h2 id="${action}"><%= it.texts.account.${heading} %></h2>
<% if (it.${list}.length === 0) { %><p><%= it.texts.account.${none} %></p><% } %>
<% it.${list}.forEach((each, index) => { %>
<article aria-labelledby="${action}-<%= index %>">
<h3 id="${action}-<%= index %>"><%= each.name %></h3>
<% if (each.name !== each.id) { %><p class="small"><code><%= each.id %></code></p><% } %>
<% each.at.forEach(({ target, scopes }) => { %>
<% if (target) { %><p><%= it.texts.account.at %> <code><%= target %></code></p><% } %>
${scopeList('scopes')}
<% }) %>
<p class="small"><%= it.texts.account.since %> <time datetime="<%= each.since %>"><%= each.since %></time></p>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="form" value="<%= it.form %>">
<input type="hidden" name="id" value="<%= each.id %>">
<button type="submit" name="action" value="${action}" class="second" aria-describedby="${action}-<%= index %>"><%= it.texts.account.takeBack %></button>
</form>
</article>
<% }) %>
</section>
`

export const accountTemplate = `${head('it.texts.account.title')}
<p><%= it.texts.account.as %> <strong><%= it.user %></strong>. <a href="<%= it.signOut %>"><%= it.texts.account.signOut %></a></p>
<section aria-labelledby="waiting">
<h2 id="waiting"><%= it.texts.account.waiting %></h2>
<% if (it.approvals.length === 0) { %><p><%= it.texts.account.noneWaiting %></p><% } %>
<% it.approvals.forEach((each, index) => { %>
<article aria-labelledby="approval-<%= index %>">
<h3 id="approval-<%= index %>"><%= each.agent %> <%= it.texts.account.asks %></h3>
<% if (each.agent !== each.agentId) { %><p class="small"><code><%= each.agentId %></code></p><% } %>
<% if (each.scopes.length > 0) { %><p><%= it.texts.account.could %></p>
${scopeList('each.scopes')}
<% } else { %><p><%= it.texts.account.nothing %></p><% } %>
<p><%= it.texts.account.through %></p>
<ol><% each.chain.forEach((name) => { %><li><%= name %></li><% }) %><li><%= each.agent %></li></ol>
<p class="small"><%= it.texts.account.answerWithin %> <%= each.minutesLeft %>. <%= it.texts.account.lasts %></p>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="form" value="<%= it.form %>">
<input type="hidden" name="id" value="<%= each.id %>">
<button type="submit" name="action" value="approve" aria-describedby="approval-<%= index %>"><%= it.texts.account.approve %></button>
<button type="submit" name="action" value="deny" class="second" aria-describedby="approval-<%= index %>"><%= it.texts.account.deny %></button>
</form>
</article>
<% }) %>
</section>
${allowed('agents', 'agents', 'noAgents', 'end-agent')}
${allowed('clients', 'clients', 'noClients', 'end-client')}
<p class="small"><%= it.texts.account.ends %></p>
${tail}`

export const signOutTemplate = `${head('it.texts.signOut.title')}
<p><%= it.texts.signOut.as %> <strong><%= it.user %></strong>.</p>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="form" value="<%= it.form %>">
<input type="hidden" name="request" value="<%= it.query %>">
<button type="submit"><%= it.texts.signOut.submit %></button>
</form>
${tail}`

export const signedOutTemplate = `${head('it.texts.signOut.done')}
<p><%= it.texts.signOut.close %></p>
${tail}`

export const faultTemplate = `${head('it.texts.fault.title')}
<p role="alert" class="notice"><%= it.message %></p>
<p><%= it.texts.fault.advice %></p>
${tail}`
