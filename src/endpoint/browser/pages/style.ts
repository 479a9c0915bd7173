/** The one style sheet: light and dark, from 320 pixels on. Text has a contrast of 4.5 at least, edges of fields one of 3 (WCAG 2.2). */
export const style = `
:root {
  color-scheme: light dark;
  --ink: #1a1c20; --quiet: #535a67; --ground: #f3f4f6; --card: #fff; --edge: #dfe2e7; --line: #6b7280;
  --deed: #1d4ed8; --deed-near: #1e40af; --on-deed: #fff; --warn: #912018; --warn-ground: #fef3f2; --warn-edge: #f0b8b1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #f0f1f4; --quiet: #abb2bf; --ground: #101216; --card: #1a1d23; --edge: #323742; --line: #8a92a0;
    --deed: #93b4ff; --deed-near: #b3caff; --on-deed: #10131a; --warn: #ffb4a9; --warn-ground: #2e1a18; --warn-edge: #6e3630;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main {
  max-width: 28rem; margin: 8vh auto; padding: 2rem 2.25rem 2.25rem;
  background: var(--card); border: 1px solid var(--edge); border-radius: .75rem; box-shadow: 0 1px 3px rgb(0 0 0 / .06);
}
main:has(section) { max-width: 40rem; margin: 2rem auto }
@media (max-width: 30rem) {
  body { background: var(--card) }
  main, main:has(section) { margin: 0; padding: 1.5rem 1.25rem; border: 0; box-shadow: none }
}
h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; margin: 0 0 .5rem }
h2 { font-size: 1.125rem; line-height: 1.3; margin: 2.25rem 0 .5rem; padding-top: 1.5rem; border-top: 1px solid var(--edge) }
h3 { font-size: 1rem; margin: 0 }
p { margin: .75rem 0 }
h1 + p { margin-top: 0 }
h1 + .notice { margin-top: 1rem }
main > :last-child { margin-bottom: 0 }
a { color: var(--deed) }
code { font: .9375em ui-monospace, monospace }
ul { list-style: none; margin: .5rem 0 1rem; padding: 0; border: 1px solid var(--edge); border-radius: .5rem; background: var(--ground) }
li { padding: .4rem .75rem }
ul li + li { border-top: 1px solid var(--edge) }
ol { margin: .5rem 0 1rem; padding-left: 1.5rem }
ol li { padding: .1rem 0 }
form { margin-top: 1.5rem }
label { display: block; margin: 1rem 0 .35rem; font-weight: 500 }
input {
  width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: inherit;
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
}
button, a.button {
  display: block; width: 100%; min-height: 2.75rem; margin: .75rem 0 0; padding: .55rem 1rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; cursor: pointer;
  color: var(--on-deed); background: var(--deed); border: 1px solid var(--deed); border-radius: .5rem;
}
button:hover { background: var(--deed-near); border-color: var(--deed-near) }
input + button { margin-top: 1.5rem }
button.second, a.second { color: inherit; background: transparent; border-color: var(--line) }
button.second:hover, a.second:hover { background: var(--ground) }
:focus-visible { outline: 3px solid var(--deed); outline-offset: 2px }
article { margin-top: 1rem; padding: 1rem 1.25rem 1.25rem; border: 1px solid var(--edge); border-radius: .5rem }
article form { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem }
article button { flex: 0 1 auto; width: auto; min-width: 8rem; margin: 0 }
@media (max-width: 30rem) { article button { flex: 1 1 100% } }
.small { color: var(--quiet); font-size: .875rem }
h3 + .small { margin-top: 0 }
h3 + ul { margin-top: .75rem }
section + .small { margin-top: 1.5rem }
.or { margin: 1.25rem 0 0; color: var(--quiet); text-align: center }
.notice { padding: .65rem .85rem; color: var(--warn); font-weight: 500; background: var(--warn-ground); border: 1px solid var(--warn-edge); border-radius: .5rem }
`
