import { createHash } from 'node:crypto'
import { CHART_STYLE } from './jobChart.ts'

/** Of the report and of the live page. */
export const PAGE_STYLE: string = `
:root { color-scheme: light dark; --paper: #f5f7fa; --card: #ffffff; --ink: #1b2430; --soft: #5d6b7c; --rule: #e3e8ee;
  --written: #1f6feb; --rejected: #cf222e; --overwritten: #8a63d2; --skipped: #c3a6ff; --filtered: #9fb2c8; --not-reached: #e8a317; --under-way: #c9d4e0; --running: #0f8a7e }
@media (prefers-color-scheme: dark) { :root { --paper: #0b1017; --card: #10161f; --ink: #e3eaf3; --soft: #93a1b3; --rule: #263140;
  --written: #58a6ff; --rejected: #ff6b66; --overwritten: #b392f0; --skipped: #7d5fb8; --filtered: #5b708a; --not-reached: #e3b341; --under-way: #3a4757; --running: #3fc7b5 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif }
main { max-width: 1320px; margin: 0 auto; padding: 24px 16px }
h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere } h2 { font-size: 15px; margin: 28px 0 8px }
.state { margin: 2px 0 16px; color: var(--soft); overflow-wrap: anywhere } .state::before { content: ''; display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 8px; background: currentcolor }
.state.running { color: var(--running) } .state.done { color: var(--written) } .state.failed { color: var(--rejected) } .state.paused, .state.stopping { color: var(--not-reached) }
.account { border-radius: 4px; background: var(--rule); display: block }
.written { fill: var(--written); background: var(--written) } .rejected { fill: var(--rejected); background: var(--rejected) }
.filtered { fill: var(--filtered); background: var(--filtered) }
.overwritten { fill: var(--overwritten); background: var(--overwritten) } .skipped { fill: var(--skipped); background: var(--skipped) } .not-reached { fill: var(--not-reached); background: var(--not-reached) }
.under-way { fill: var(--under-way); background: var(--under-way) }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); margin: 6px 0 16px }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(150px, 45%), 1fr)); gap: 12px; margin: 0 0 12px }
.tiles div, .card { border: 1px solid var(--rule); border-radius: 8px; background: var(--card) }
.tiles div { padding: 10px 14px } .tiles span { display: block; color: var(--soft); font-size: 12px } .tiles b { display: block; font-size: 20px; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(350px, 100%), 1fr)); gap: 12px }
.card { margin: 0; padding: 12px 14px } .card svg { display: block; width: 100% } .parts { margin-top: 12px } .parts p { margin: 0 0 6px; font-size: 12px; font-weight: 600; color: var(--soft) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 20px 0 } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.table { overflow-x: auto } table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-top: 1px solid var(--rule) }
td:not(:last-child) { white-space: nowrap } td:last-child { width: 100% } td ul { margin: 0; padding-left: 16px } li { overflow-wrap: anywhere } code { font-size: 12px; overflow-wrap: anywhere }
footer { margin-top: 28px; color: var(--soft); font-size: 12px; overflow-wrap: anywhere }
${CHART_STYLE}
`

/** What a `Content-Security-Policy` calls a style or a script that stands in a page. */
export function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
