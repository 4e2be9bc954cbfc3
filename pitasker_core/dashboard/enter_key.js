// Enter in a text field, which reaches Python also when the field has sent its text already.

export default function ({ parentElement, data, setTriggerValue }) {
  const press = event => {
    const field = document.querySelector(`.st-key-${data.container} input`)
    if (event.target !== field || event.key !== "Enter" || event.isComposing) return
    if (event.ctrlKey || event.metaKey) return
    setTimeout(() => setTriggerValue("pressed", field.value), 0)
  }
  // This function is called with every answer, and the field may be another element by then.
  document.removeEventListener("keydown", parentElement.press)
  document.addEventListener("keydown", press)
  parentElement.press = press
  return () => document.removeEventListener("keydown", press)
}
