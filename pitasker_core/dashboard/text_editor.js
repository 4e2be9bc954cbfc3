// A plain text field over a coloured copy of its text, with line numbers. Python marks wrong lines in
// `data.marks`, which are valid only for the text in `data.checked`.

const PAUSE = 350 // milliseconds without a key before the typed text is sent to be checked

function span(kind, text) {
  const element = document.createElement("span")
  element.className = kind
  element.textContent = text
  return element
}

function coloured(line) {
  if (/^\s*#/.test(line)) return [span("comment", line)]
  const entry = line.match(/^(\s*(?:@\S+|\S+(?:\s+\S+){4}))(\s+.*)$/)
  const setting = line.match(/^(\s*["']?[A-Za-z_]\w*["']?\s*=)(.*)$/)
  if (setting) return [span("name", setting[1]), span("", setting[2])]
  if (!entry) return [span("", line)]
  const [command, tag] = split(entry[2], entry[2].search(/ # PITASKER_ID:[0-9a-fA-F-]{36}/))
  const [proper, stdin] = split(command, command.search(/(?<!\\)%/))
  const [own, behind] = split(tag, tag.search(/%/))
  return [
    span("schedule", entry[1]), span("", proper), span("input", stdin),
    span("tag", own), span("input", behind),
  ]
}

function split(text, at) {
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)]
}

function paint(root, data) {
  const field = root.querySelector(".field")
  const marks = data.checked === field.value ? data.marks : {}
  const colours = []
  const numbers = []
  field.value.split("\n").forEach((line, index) => {
    const mark = marks[index + 1]
    const parts = coloured(line)
    const whole = span(mark ? mark.kind : "", "")
    whole.append(...parts)
    colours.push(whole, ...(data.wrap ? [] : ["\n"]))
    const number = span(mark ? mark.kind : "", String(index + 1))
    if (mark) number.title = mark.message
    numbers.push(number, ...(data.wrap ? [] : ["\n"]))
  })
  root.querySelector(".colours").replaceChildren(...colours)
  root.querySelector(".numbers").replaceChildren(...numbers)
  if (data.wrap) align(root)
}

// A wrapped line is higher than a row of text, so its number gets the same height.
function align(root) {
  const lines = [...root.querySelector(".colours").children]
  const heights = lines.map(line => line.getBoundingClientRect().height)
  const numbers = root.querySelector(".numbers").children
  heights.forEach((height, index) => {
    if (numbers[index]) numbers[index].style.height = `${height}px`
  })
}

export default function (component) {
  const { parentElement: root, data, setStateValue, setTriggerValue } = component
  const field = root.querySelector(".field")
  const isNew = !field.dataset.ready
  if (isNew) {
    field.value = data.text
    field.dataset.ready = "yes"
  }
  field.setAttribute("aria-label", data.label)
  field.placeholder = data.placeholder
  root.querySelector(".editor").classList.toggle("wrap", data.wrap)
  paint(root, data)
  field.resized?.disconnect()
  field.resized = new ResizeObserver(() => data.wrap && align(root))
  field.resized.observe(root.querySelector(".sheet"))

  // Stored at the field: this function is called again with every answer, even between two keys.
  if (isNew) field.sent = field.value
  const send = () => {
    clearTimeout(field.timer)
    if (field.isConnected && field.value !== field.sent) {
      setStateValue("text", (field.sent = field.value))
    }
  }
  field.oninput = () => {
    paint(root, data)
    clearTimeout(field.timer)
    field.timer = setTimeout(send, PAUSE)
  }
  field.onblur = send
  field.onkeydown = event => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault()
      clearTimeout(field.timer)
      field.sent = field.value
      setTriggerValue("save", field.value)
    }
  }
}
