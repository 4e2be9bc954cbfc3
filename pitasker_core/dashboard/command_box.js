// A combobox (WAI-ARIA Authoring Practices 1.2, "Combobox with listbox popup"). Python finds the rows:
// `data.rows`, which belong to the query `data.words`.

const PAUSE = 150 // milliseconds without a key until the query is sent

function element(tag, kind, text) {
  const made = document.createElement(tag)
  made.className = kind
  made.textContent = text
  return made
}

function count(data) {
  if (!data.words) return ""
  if (!data.rows.length) return "Nothing matches."
  return data.rows.length === 1 ? "1 result" : `${data.rows.length} results`
}

export default function (component) {
  const { parentElement: root, data, setStateValue, setTriggerValue } = component
  const field = root.querySelector(".field")
  const list = root.querySelector(".rows")
  if (!field.dataset.ready) {
    field.dataset.ready = "yes"
    field.sent = ""
    field.row = 0
    // The dialog takes the focus first.
    for (const wait of [0, 100]) setTimeout(() => field.focus(), wait)
  }

  const choose = () => {
    const row = data.rows[field.row]
    if (row) setTriggerValue("chosen", row.id)
  }
  const isCurrent = () => field.value.trim() === data.words.trim()
  const mark = () => {
    field.row = Math.min(Math.max(field.row, 0), Math.max(data.rows.length - 1, 0))
    for (const [number, row] of [...list.children].entries()) {
      row.setAttribute("aria-selected", String(number === field.row))
    }
    const marked = list.children[field.row]
    if (marked) field.setAttribute("aria-activedescendant", marked.id)
    else field.removeAttribute("aria-activedescendant")
    marked?.scrollIntoView({ block: "nearest" })
  }
  const move = step => {
    const size = data.rows.length
    field.row = size ? (field.row + step + size) % size : 0
    field.marked = data.rows[field.row]?.id
    mark()
  }
  const send = () => {
    clearTimeout(field.timer)
    if (field.isConnected && field.value !== field.sent) {
      setStateValue("words", (field.sent = field.value))
    }
  }

  // This function is called with every answer. The same rows keep their mark.
  if (list.drawn !== JSON.stringify(data)) {
    list.drawn = JSON.stringify(data)
    // A row that a person marked keeps its mark when other rows come.
    field.row = Math.max(0, data.rows.findIndex(row => row.id === field.marked))
    const rows = data.rows.map((row, number) => {
      const made = element("li", "row", "")
      made.id = `row-${number}`
      made.setAttribute("role", "option")
      made.append(element("span", "title", row.title), element("span", "kind", row.kind))
      made.append(element("span", row.is_code ? "detail code" : "detail", row.detail))
      made.onclick = () => setTriggerValue("chosen", row.id)
      return made
    })
    list.replaceChildren(...rows)
    list.scrollTop = 0
    root.querySelector(".count").textContent = count(data)
    mark()
  }
  // Enter was pressed before the rows of the query were there.
  if (field.waits && isCurrent()) {
    field.waits = false
    choose()
  }

  field.oninput = () => {
    field.waits = false
    field.marked = undefined
    clearTimeout(field.timer)
    field.timer = setTimeout(send, PAUSE)
  }
  field.onkeydown = event => {
    if (event.isComposing) return
    if (event.key === "ArrowDown") move(1)
    else if (event.key === "ArrowUp") move(-1)
    else if (event.key === "Enter" && isCurrent()) choose()
    else if (event.key === "Enter") {
      field.waits = true
      send()
    } else return
    event.preventDefault()
  }
}
