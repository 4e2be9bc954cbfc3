// Enter in a text field, which reaches Python also when the field has sent its text already.

// The senders by container, in the page: this module is loaded again for each place that uses it.
const SENDERS = Symbol.for("pitasker.enter")

const press = event => {
  if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return
  for (const [container, send] of document[SENDERS]) {
    const field = document.querySelector(`.st-key-${container} input`)
    if (event.target === field) setTimeout(() => send("pressed", field.value), 0)
  }
}

export default function ({ data, setTriggerValue }) {
  if (!document[SENDERS]) {
    document[SENDERS] = new Map()
    document.addEventListener("keydown", press)
  }
  // Called with every answer. Nothing is taken away between two calls, so that no press is lost.
  document[SENDERS].set(data.container, setTriggerValue)
}
