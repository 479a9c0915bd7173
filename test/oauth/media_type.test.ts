import { expect, test } from 'vitest'
import { bodyFormOf, type BodyForm } from '../../src/oauth/media_type.ts'

const FORM = 'application/x-www-form-urlencoded'

const cases: readonly (readonly [contentType: string | undefined, form: BodyForm | undefined])[] = [
  [FORM, 'form'],
  ['Application/X-WWW-Form-URLEncoded', 'form'],
  [`${FORM};charset=UTF-8`, 'form'],
  [`${FORM}; charset=utf-8`, 'form'],
  [`${FORM} ; charset="UTF-8"`, 'form'],
  ['application/json', 'json'],
  ['application/json; charset=utf-8', 'json'],
  ['APPLICATION/JSON', 'json'],
  ['application/json;', 'json'],
  ['application/json; ; charset=utf-8', 'json'],
  [` ${FORM} `, 'form'],
  [undefined, undefined],
  ['', undefined],
  [';', undefined],
  ['text/plain', undefined],
  ['text/json', undefined],
  ['application/jwt', undefined],
  ['application/problem+json', undefined],
  ['multipart/form-data; boundary=x', undefined],
  ['application/x-www-form-urlencodedx', undefined],
  [`x${FORM}`, undefined],
  [`${FORM}, application/json`, undefined],
  [`${FORM}; charset=iso-8859-1`, undefined],
  [`${FORM}; charset=utf-16`, undefined],
  [`${FORM}; charset=utf-8; charset=iso-8859-1`, undefined],
  [`${FORM}; charset=`, undefined],
  [`${FORM}; charset`, undefined],
  [`${FORM}; charset="utf-8`, undefined],
  [`${FORM}; charset=utf-8"`, undefined],
  [`${FORM}; charset='utf-8'`, undefined],
  [`${FORM}; boundary=x`, undefined],
  ['application/json; version=2', undefined],
]

test.each(cases)('Content-Type %s is a body of %s', (contentType, form) => {
  expect(bodyFormOf(contentType)).toBe(form)
})
