/** The npm package systemd-notify 1.0 comes without types. It knows no more than this. */
declare module 'systemd-notify' {
  function notify(options: { ready?: boolean; status?: string; pid?: number }): Promise<unknown>;
  export default notify;
}
