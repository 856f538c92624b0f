import js from '@eslint/js'
import a11y from 'eslint-plugin-jsx-a11y'
import hooks from 'eslint-plugin-react-hooks'
import globals from 'globals'
import ts from 'typescript-eslint'

const features = ['chat', 'sessions', 'sources', 'documents', 'settings']

/** Features are put together in app/; none may reach into another. */
const boundaries = features.map((feature) => ({
  files: [`src/features/${feature}/**/*.{ts,tsx}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: features.filter((other) => other !== feature).map((other) => `@/features/${other}/*`),
            message: 'Features do not import each other; pass it in from app/.',
          },
          { group: ['@/app/*'], message: 'Features do not know the shell.' },
          { group: ['../*'], message: "Use '@/...' outside the folder." },
        ],
      },
    ],
  },
}))

export default ts.config(
  { ignores: ['node_modules', 'dist', '../src'] },
  js.configs.recommended,
  ...ts.configs.strict,
  a11y.flatConfigs.strict,
  hooks.configs.flat['recommended-latest'],
  {
    languageOptions: { globals: globals.browser },
    rules: {
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'react-hooks/set-state-in-effect': 'off', // used on purpose where an effect reads a remote answer
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  {
    files: ['src/**/*.tsx'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: 'Text reaches the page as text, never as HTML.',
        },
        { selector: "JSXAttribute[name.name='style']", message: 'Styles live in CSS Modules.' },
      ],
    },
  },
  {
    files: ['src/{components,lib,locales}/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@/features/*', '@/app/*'], message: 'Shared code knows no feature.' }] },
      ],
    },
  },
  { files: ['src/locales/**'], rules: { 'max-lines': 'off' } }, // lists of words, one to a line
  ...boundaries,
  { files: ['mock/**', 'scripts/**', 'tests/**', '*.config.*'], languageOptions: { globals: globals.node } },
)
