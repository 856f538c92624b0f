import type { ButtonHTMLAttributes, Ref } from 'react'
import { Icon, type IconName } from './Icon'
import styles from './Button.module.css'

type Native = ButtonHTMLAttributes<HTMLButtonElement> & { ref?: Ref<HTMLButtonElement> }

export function Button({ tone = 'plain', className = '', ...rest }: Native & { tone?: 'plain' | 'primary' | 'quiet' | 'bad' }) {
  return <button type="button" {...rest} className={`${styles.button} ${styles[tone]} ${className}`} />
}

/** A button that shows only a picture always carries its words for those who do not see it. */
export function IconButton({ icon, label, className = '', size = 18, ...rest }: Native & { icon: IconName; label: string; size?: number }) {
  return (
    <button type="button" aria-label={label} title={label} {...rest} className={`${styles.icon} ${className}`}>
      <Icon name={icon} size={size} />
    </button>
  )
}
