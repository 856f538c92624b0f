const apple = /mac|iphone|ipad/i.test(navigator.userAgent)

/** Keys as they are written on the person's keyboard. */
export const KEYS = {
  palette: apple ? ['⌘', 'K'] : ['Ctrl', 'K'],
  newChat: apple ? ['⌘', '⇧', 'O'] : ['Ctrl', '⇧', 'O'],
} as const
