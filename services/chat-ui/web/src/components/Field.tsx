import { useId, type ReactNode } from 'react'
import styles from './Field.module.css'

interface FormProps {
  id?: string
  onSubmit: () => void
  actions: ReactNode
  children: ReactNode
}

function Form({ id, onSubmit, actions, children }: FormProps) {
  return (
    <form
      id={id}
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit()
      }}
    >
      {children}
      <div className={styles.actions}>{actions}</div>
    </form>
  )
}

interface TextProps {
  label: string
  help?: string
  error?: string | null
  value: string
  onText: (text: string) => void
}

function Text({ label, help, error, value, onText }: TextProps) {
  const id = useId()
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={value}
        aria-invalid={error ? true : undefined}
        aria-describedby={help || error ? `${id}-help` : undefined}
        onChange={(event) => onText(event.target.value)}
      />
      {(help || error) && (
        <small id={`${id}-help`} data-bad={Boolean(error)}>
          {error ?? help}
        </small>
      )}
    </div>
  )
}

interface ChoiceProps<T extends string> {
  legend: string
  value: T
  options: readonly { value: T; label: string }[]
  onChange: (value: T) => void
}

/** A few choices side by side: native radio buttons under a quiet dress. */
function Choice<T extends string>({ legend, value, options, onChange }: ChoiceProps<T>) {
  const name = useId()
  return (
    <fieldset className={styles.choice}>
      <legend>{legend}</legend>
      <div>
        {options.map((option) => (
          <label key={option.value}>
            <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

export const Field = { Form, Text, Choice }
