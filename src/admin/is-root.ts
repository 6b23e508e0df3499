/** Asked of the kernel: in a container, a user id need not have an account, and `os.userInfo` throws there. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
