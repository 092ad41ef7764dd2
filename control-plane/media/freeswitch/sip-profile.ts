/** The SIP profile, and the domain that phones log in to and passwords are kept for (freeswitch/configuration/sip.xml). */
export const profile = 'frontdesk';
export const domain = 'frontdesk';
