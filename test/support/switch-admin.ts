/**
 * The switch as an operator sees it, for tests: what is on it, and phones and failsafes without a controller.
 * Plain ARI over HTTP, none of the product's code, so that a fault there cannot hide itself here.
 */
export interface SwitchChannel {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly caller: { readonly name: string; readonly number: string };
}

export interface SwitchBridge {
  readonly id: string;
  readonly channels: readonly string[];
}

export interface PhoneAccount {
  /** Also the SIP user name. */
  readonly id: string;
  readonly password: string;
  readonly name?: string;
}

export interface SwitchAdmin {
  channels(): Promise<readonly SwitchChannel[]>;
  bridges(): Promise<readonly SwitchBridge[]>;
  /** With a reason of ARI's, e.g. 'answered_elsewhere'. */
  hangUp(channelId: string, reason?: string): Promise<void>;
  /** Ends every channel and bridge, so that one failed test does not fail the next. */
  clear(): Promise<void>;
  createPhone(phone: PhoneAccount): Promise<void>;
  deletePhone(id: string): Promise<void>;
  /** Whether a call would reach the phone now. */
  isRegistered(id: string): Promise<boolean>;
  /** Writes AstDB through the dialplan's own context, as controllers do. */
  putDb(family: string, key: string, value: string): Promise<void>;
}

export const connectSwitch = (asteriskUrl: string, cli: (command: string) => Promise<string>): SwitchAdmin => {
  const url = new URL(asteriskUrl);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  const request = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url.origin}/ari/${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5_000),
    });
    const text = await response.text();
    // a channel or bridge that went by itself meanwhile is what a deletion wanted
    if (!response.ok && !(method === 'DELETE' && response.status === 404)) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const channels = async (): Promise<readonly SwitchChannel[]> => (await request('GET', 'channels')) as SwitchChannel[];
  const bridges = async (): Promise<readonly SwitchBridge[]> => (await request('GET', 'bridges')) as SwitchBridge[];
  const put = (type: 'aor' | 'auth' | 'endpoint', id: string, fields: Readonly<Record<string, string>>): Promise<unknown> =>
    request('PUT', `asterisk/config/dynamic/res_pjsip/${type}/${id}`, { fields: Object.entries(fields).map(([attribute, value]) => ({ attribute, value })) });
  const hangUp = async (channelId: string, reason?: string): Promise<void> => {
    await request('DELETE', `channels/${encodeURIComponent(channelId)}${reason === undefined ? '' : `?reason=${reason}`}`);
  };

  return {
    channels,
    bridges,
    hangUp,
    clear: async () => {
      await Promise.all((await channels()).map(({ id }) => hangUp(id)));
      await Promise.all((await bridges()).map(({ id }) => request('DELETE', `bridges/${encodeURIComponent(id)}`)));
    },
    createPhone: async ({ id, password, name }) => {
      await put('auth', id, { auth_type: 'userpass', username: id, password });
      await put('aor', id, { max_contacts: '1', remove_existing: 'yes' });
      // the template [phone] of asterisk/pjsip.conf, which objects made through ARI cannot inherit
      await put('endpoint', id, {
        context: 'from-phone', disallow: 'all', allow: 'ulaw,alaw,g722', direct_media: 'no', rtp_symmetric: 'yes', force_rport: 'yes', rewrite_contact: 'yes',
        allow_transfer: 'no', identify_by: 'username', aors: id, auth: id, callerid: `"${name ?? `Phone ${id}`}" <${id}>`,
      });
    },
    deletePhone: async (id) => {
      for (const type of ['endpoint', 'aor', 'auth']) await request('DELETE', `asterisk/config/dynamic/res_pjsip/${type}/${id}`);
    },
    isRegistered: async (id) => /^\s*Contact:\s+\S+\/sip:/m.test(await cli(`pjsip show aor ${id}`)),
    putDb: async (family, key, value) => {
      await request('POST', 'channels', {
        endpoint: 'Local/put@fd-db/n', context: 'fd-db', extension: 'put', priority: 1, timeout: 2,
        variables: { FD_FAMILY: family, FD_KEY: key, FD_VALUE: value },
      });
      const stored = (text: string): boolean => text.includes(`: ${value}`);
      for (let tries = 0; !stored(await cli(`database get ${family} ${key}`)); tries += 1) {
        if (tries > 50) throw new Error(`AstDB did not take ${family}/${key}`);
      }
    },
  };
};
