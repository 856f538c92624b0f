const paths = {
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM20 20l-4.6-4.6',
  close: 'M6 6l12 12M18 6 6 18',
  menu: 'M4 7h16M4 12h16M4 17h10',
  more: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  left: 'M14.5 6 8.5 12l6 6',
  right: 'M9.5 6l6 6-6 6',
  chevron: 'M7 10l5 5 5-5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  file: 'M7 3.5h7l4 4v13H7zM14 3.5v4h4',
  folder: 'M3.5 6.5h6l2 2.5h9v10h-17z',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM19.4 13.5l1.6 1.2-2 3.4-1.9-.7a7 7 0 0 1-2.6 1.5l-.3 2h-4l-.3-2a7 7 0 0 1-2.6-1.5l-1.9.7-2-3.4 1.6-1.2a7 7 0 0 1 0-3L3.4 9.3l2-3.4 1.9.7a7 7 0 0 1 2.6-1.5l.3-2h4l.3 2a7 7 0 0 1 2.6 1.5l1.9-.7 2 3.4-1.6 1.2a7 7 0 0 1 0 3Z',
  pencil: 'M4 20l1-4L16.5 4.5l3 3L8 19zM14.5 6.5l3 3',
  trash: 'M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13',
  retry: 'M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4',
  copy: 'M9 9h10.5v11H9zM15 9V4.5H4.5V15H9',
  external: 'M13 5h6v6M19 5l-9 9M10 6H5v13h13v-5',
  warn: 'M12 4 2.8 19.5h18.4zM12 10v4.5M12 17.2v.1',
  sheet: 'M6 14l6-6 6 6',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.6 : 1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  )
}

export function Wheel({ size = 22 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8">
      <circle cx="12" cy="12" r="6.2" />
      <circle cx="12" cy="12" r="1.6" fill="currentColor" />
      <path d="M12 2v3.8M12 18.2V22M2 12h3.8M18.2 12H22M4.9 4.9l2.7 2.7M16.4 16.4l2.7 2.7M19.1 4.9l-2.7 2.7M7.6 16.4l-2.7 2.7" />
    </svg>
  )
}
