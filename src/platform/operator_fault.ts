/**
 * Something that only the operator can mend: a setting, a file, a port. The message is one sentence that says what is wrong;
 * the program prints it, without a stack, and ends.
 */
export class OperatorFault extends Error {}
