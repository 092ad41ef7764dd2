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
  /** Whether the phone may log in. */
  knows(id: string): Promise<boolean>;
  /** Whether a call would reach the phone now. */
  isRegistered(id: string): Promise<boolean>;
  /** Claims a call that is offered, as a controller of this name would; false where it is too late, or too early. */
  claim(channelId: string, instance: string): Promise<boolean>;
  /** What a controller has written of the call on a channel (media/identity.ts); undefined where nothing is. */
  identityOf(channelId: string): Promise<string | undefined>;
  writeIdentity(channelId: string, text: string): Promise<void>;
  /** Asks for what changes nothing. */
  obeys(channelId: string): Promise<boolean>;
  /** Of which channels each controller hears, by its name; undefined where each hears of all. */
  hearing(): Promise<ReadonlyMap<string, ReadonlySet<string>> | undefined>;
  /** Takes a registration of the phone for as short as it asks, so that nobody waits for one to lapse. */
  takesShortRegistrations(id: string): Promise<void>;
  /** Whether the switch knows what the phone shows when it calls for help. */
  knowsEmergencyOf(id: string): Promise<boolean>;
  /** Places a call to Frontdesk itself, under this id, which no controller has asked for. */
  placeSyntheticCall(callId: string): Promise<void>;
  /** Calls to Frontdesk itself go wrong, until what is returned is called. */
  spoilSyntheticCalls(): Promise<() => Promise<void>>;
  /** Writes AstDB through the dialplan's own context, as controllers do. */
  putDb(family: string, key: string, value: string): Promise<void>;
}

export const connectSwitch = (asteriskUrl: string, cli: (command: string) => Promise<string>): SwitchAdmin => {
  const url = new URL(asteriskUrl);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  const ask = (method: string, path: string, body?: object): Promise<Response> => fetch(`${url.origin}/ari/${path}`, {
    method,
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  const isTaken = async (method: string, path: string): Promise<boolean> => {
    const response = await ask(method, path);
    await response.arrayBuffer();
    return response.ok;
  };
  const request = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await ask(method, path, body);
    const text = await response.text();
    // a channel or bridge that went by itself meanwhile is what a deletion wanted; a bridge of the dialplan (409) goes with its channels
    if (!response.ok && !(method === 'DELETE' && [404, 409].includes(response.status))) throw new Error(`${method} ${path}: ${response.status} ${text}`);
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
        allow_transfer: 'yes', identify_by: 'username', aors: id, auth: id, callerid: `"${name ?? `Phone ${id}`}" <${id}>`,
      });
    },
    deletePhone: async (id) => {
      for (const type of ['endpoint', 'aor', 'auth']) await request('DELETE', `asterisk/config/dynamic/res_pjsip/${type}/${id}`);
    },
    knows: async (id) => (await cli(`pjsip show endpoint ${id}`)).includes(`Endpoint:  ${id}`),
    takesShortRegistrations: (id) => put('aor', id, { minimum_expiration: '1' }).then(() => undefined),
    knowsEmergencyOf: async (id) => (await cli('database show fd-emergency')).includes(`/location/${id} `),
    placeSyntheticCall: async (callId) => void (await request('POST', `channels?${String(new URLSearchParams({ endpoint: 'Local/call@fd-synthetic/n', context: 'fd-synthetic', extension: 'wait', priority: '1', channelId: `far-${callId}`, otherChannelId: callId }))}`)),
    spoilSyntheticCalls: async () => {
      await cli('dialplan remove context fd-synthetic');
      return async () => void (await cli('dialplan reload'));
    },
    isRegistered: async (id) => /^\s*Contact:\s+\S+\/sip:/m.test(await cli(`pjsip show aor ${id}`)),
    claim: (channelId, instance) => isTaken('POST', `events/claim?channelId=${channelId}&application=frontdesk-${instance}`),
    identityOf: async (channelId) => ((await (await ask('GET', `channels/${channelId}/variable?variable=FRONTDESK`)).json()) as { readonly value?: string }).value,
    writeIdentity: async (channelId, text) => {
      await request('POST', `channels/${channelId}/variable?variable=FRONTDESK`, { value: text });
    },
    // the end of music that does not play
    obeys: (channelId) => isTaken('DELETE', `channels/${channelId}/moh`),
    hearing: async () => {
      const listed = (await request('GET', 'applications')) as readonly { readonly name: string; readonly channel_ids: readonly string[] }[];
      return new Map(listed.map(({ name, channel_ids: ids }) => [name.replace(/^frontdesk-/, ''), new Set(ids)]));
    },
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
